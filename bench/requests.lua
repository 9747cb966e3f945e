-- Requests for wrk, the ones that bench/mix.ts describes. Arguments: file of escaped hashes, peers per swarm, announce or
-- scrape, how many of a hundred requests ask for another page, 1 to name the peer in X-Forwarded-For, 1 for a
-- connection each, a seed.
local hashes, peers_per_swarm, kind, others, is_forwarded, tail = {}, 1, "announce", 0, false, "\r\n"
local floor, random, format = math.floor, math.random, string.format

function init(args)
  for line in io.lines(args[1]) do hashes[#hashes + 1] = line end
  peers_per_swarm = tonumber(args[2])
  kind = args[3]
  others = tonumber(args[4])
  is_forwarded = args[5] == "1"
  if args[6] == "1" then tail = "Connection: close\r\n\r\n" end
  math.randomseed(tonumber(args[7]))
end

function request()
  if others > 0 and random(100) <= others then
    return "GET /stats.json HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n" .. tail
  end
  local swarm = random(#hashes)
  if kind == "scrape" then
    return "GET /scrape?info_hash=" .. hashes[swarm] ..
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Transmission/4.0.5\r\nAccept: */*\r\n" .. tail
  end
  local peer = (swarm - 1) * peers_per_swarm + random(peers_per_swarm) - 1
  local forwarded = ""
  if is_forwarded then
    forwarded = format("X-Forwarded-For: %d.%d.%d.%d\r\n", 11 + floor(peer / 16777216) % 64,
      floor(peer / 65536) % 256, floor(peer / 256) % 256, peer % 256)
  end
  return format("GET /announce?info_hash=%s&peer_id=-TR4050-%012d&port=%d&uploaded=0&downloaded=0&left=%d" ..
    "&numwant=50&key=7186ca34&compact=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Transmission/4.0.5\r\n" ..
    "Accept: */*\r\n%s%s", hashes[swarm], peer, 1024 + peer % 60000, peer % 2 == 0 and 0 or 1048576, forwarded, tail)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(format("RESULT {\"requests\":%d,\"seconds\":%f,\"errorsConnect\":%d,\"errorsRead\":%d," ..
    "\"errorsWrite\":%d,\"errorsStatus\":%d,\"errorsTimeout\":%d}\n", summary.requests, summary.duration / 1000000,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
