-- Forgets audit records that are safely on disk, if they follow on what was archived before.
-- uses: args lane
-- head: now:number first:number last:number digest:string previous:string
-- reply: trimmed | lost
local archived, digest = unpack(redis.call('HMGET', LANE, 'archived', 'digest'))
if tonumber(archived or 0) + 1 ~= HEAD.first or (digest or '') ~= HEAD.previous or HEAD.last > seq or HEAD.last < HEAD.first then
  return 'lost'
end
redis.call('HSET', LANE, 'archived', HEAD.last, 'digest', HEAD.digest)
redis.call('XTRIM', AUDIT, 'MINID', (HEAD.last + 1) .. '-0')
return 'trimmed'
