-- Forgets gates that were locked in the same transaction, if nobody has come to have them or to wait since they were looked for.
--
--   $1  gates  bigint[]
--
-- Index: the primary keys of gate and held. No row changed: somebody has.
DELETE FROM windlass.gate
WHERE gate.id = ANY ($1)
    AND NOT EXISTS (SELECT FROM windlass.held WHERE held.gate = gate.id)
    AND NOT EXISTS (SELECT FROM windlass.stand WHERE stand.gate = gate.id)
