-- Which migrations the schema has had. Reads every one of them.
SELECT version::bigint, name, compatible_from::bigint, applied_at
FROM windlass.migration
ORDER BY version
