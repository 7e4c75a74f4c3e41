-- Asks for tokens and checks every answer: status 200, and a JWT in it. Keeps some tokens, for their signatures
-- to be verified afterwards.
--
--   wrk … -s token.lua URL -- BODY CREDENTIALS
--
-- CREDENTIALS is a file with one value of the Authorization header in each line; they take turns.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  good, bad, sample, complaint = 0, 0, "", ""
  requests = {}
  for line in io.lines(args[2]) do
    local headers = {
      ["Authorization"] = line,
      ["Content-Type"] = "application/x-www-form-urlencoded",
    }
    table.insert(requests, wrk.format("POST", nil, headers, args[1]))
  end
  turn = 0
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, headers, body)
  local token = string.match(body, '"access_token"%s*:%s*"([%w_-]+%.[%w_-]+%.[%w_-]+)"')
  if status == 200 and token then
    good = good + 1
    if good % 97 == 1 and #sample < 40000 then sample = sample .. token .. "\n" end
  else
    bad = bad + 1
    complaint = status .. ": " .. string.sub(body, 1, 200)
  end
end

function done(summary, latency, all)
  local good, bad, sample, complaint = 0, 0, "", ""
  for _, thread in ipairs(threads) do
    good = good + thread:get("good")
    bad = bad + thread:get("bad")
    sample = sample .. thread:get("sample")
    complaint = complaint .. thread:get("complaint")
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    "RESULT %d %d %d %d %d %d %d %d\n", good, bad, broken, summary.duration,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max))
  if bad > 0 then io.write("COMPLAINT " .. string.gsub(complaint, "\n", " ") .. "\n") end
  for token in string.gmatch(sample, "[^\n]+") do io.write("TOKEN " .. token .. "\n") end
end
