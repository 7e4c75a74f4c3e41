-- Asks for the published keys and checks every answer: status 200, and a key in it.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  good, bad = 0, 0
end

function response(status, headers, body)
  if status == 200 and string.find(body, '"kid"', 1, true) then good = good + 1 else bad = bad + 1 end
end

function done(summary)
  local good, bad = 0, 0
  for _, thread in ipairs(threads) do
    good = good + thread:get("good")
    bad = bad + thread:get("bad")
  end
  local errors = summary.errors
  io.write(string.format("RESULT %d %d\n", good, bad + errors.connect + errors.read + errors.write + errors.timeout))
end
