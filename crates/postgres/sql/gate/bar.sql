-- Waits for the claims that are under way, and keeps others from beginning until the transaction ends.
LOCK TABLE windlass.claim IN SHARE ROW EXCLUSIVE MODE
