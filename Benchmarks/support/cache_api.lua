-- The load of one case of the Cache API, for wrk:  wrk ... -s cache_api.lua URL -- CASE SALT
--
-- match-hit: always the same key. match-miss: never the same key twice.
-- put: never the same key twice, 1 KiB. purge: puts a key and deletes it, in turns.
-- get-hit: a GET to the proxy beside it, for comparison. SALT tells runs apart.

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local function payload()
    local body = string.rep("x", 1024)
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=3600\r\n"
        .. "Content-Length: 1024\r\n\r\n" .. body
end

function init(args)
    local case, salt = args[1], args[2]
    local count = 0
    local content = payload()
    local only = { ["Cache-Control"] = "only-if-cached" }

    local function path()
        count = count + 1
        return string.format("/%s-%d-%d", salt, number, count)
    end

    if case == "get-hit" then
        local fixed = wrk.format("GET", "/hit")
        request = function() return fixed end
    elseif case == "match-hit" then
        local fixed = wrk.format("GET", "/hit", only)
        request = function() return fixed end
    elseif case == "match-miss" then
        request = function() return wrk.format("GET", path(), only) end
    elseif case == "put" then
        request = function() return wrk.format("PUT", path(), {}, content) end
    elseif case == "purge" then
        local last
        request = function()
            if last then
                local target = last
                last = nil
                return wrk.format("PURGE", target, { ["X-Real-IP"] = "127.0.0.1" })
            end
            last = path()
            return wrk.format("PUT", last, {}, content)
        end
    else
        error("unknown case " .. case)
    end
end

-- One line for the script: requests, microseconds, failures of the connection, p50 and p99 in
-- microseconds. Misses are 504 on purpose, so statuses are counted by the server's rows instead.
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
