-- Takes over who did what by hand, in this order.
--
--   $1  at        timestamptz[]
--   $2  verbs     text[]
--   $3  nouns     text[]
--   $4  subjects  text[]
--   $5  actors    text[]
--   $6  whys      text[]; NULL if not said
--   $7  vias      text[]; NULL if not known
--   $8  changes   text[], JSON; NULL where it is not told
INSERT INTO windlass.audit (at, verb, noun, subject, actor, why, via, change)
SELECT given.at, given.verb, given.noun, given.subject, given.actor, given.why, given.via, given.change
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
    AS given (at, verb, noun, subject, actor, why, via, change, place)
ORDER BY given.place
