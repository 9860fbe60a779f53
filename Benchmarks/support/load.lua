-- The load of one case, for wrk:  wrk ... -s load.lua URL -- CASE DELAY_MS SALT
--
-- get-hit, post-hit: always the same request.
-- get-miss, post-miss: never the same request twice. SALT tells runs apart.
-- DELAY_MS: pause of a connection before each request; 0 is as fast as it goes.

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local function post(body)
    return wrk.format("POST", "/search", { ["Content-Type"] = "application/json" }, body)
end

-- 64 bytes, the sequence and the salt in it.
local function content(sequence)
    local text = string.format('{"query":"%s"', sequence)
    return text .. string.rep(" ", 63 - #text) .. "}"
end

function init(args)
    local case = args[1]
    local pause = tonumber(args[2])
    local salt = args[3]
    local count = 0
    local fixed

    local function sequence()
        count = count + 1
        return string.format("%s-%d-%d", salt, number, count)
    end

    if case == "get-hit" then
        fixed = wrk.format("GET", "/hit")
        request = function() return fixed end
    elseif case == "post-hit" then
        fixed = post(content("hit"))
        request = function() return fixed end
    elseif case == "get-miss" then
        request = function() return wrk.format("GET", "/miss/" .. sequence()) end
    elseif case == "post-miss" then
        request = function() return post(content(sequence())) end
    else
        error("unknown case " .. case)
    end
    if pause > 0 then
        delay = function() return pause end
    end
end

-- One line for the script: requests, microseconds, failures, p50 and p99 in microseconds.
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
