-- Keeps with the shop how many hand-offs a minute its policy allows by a channel, since who leases knows no policy.
local function set_paces(shop, paces)
  for _, channel in ipairs(CHANNELS) do
    if paces[channel] then
      redis.call('HSET', KEYS[shop.key], 'pace.' .. channel, paces[channel])
    else
      redis.call('HDEL', KEYS[shop.key], 'pace.' .. channel)
    end
  end
end
