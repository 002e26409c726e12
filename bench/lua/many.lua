-- Sends many requests in turn; each thread begins at another one.
dofile("common.lua")

local threads = 0

function setup(thread)
   thread:set("first", threads)
   threads = threads + 1
end

local formatted, at, count = {}, 0, 0

function init(args)
   for i, r in ipairs(read_requests(args[1])) do
      formatted[i] = wrk.format(r.method, r.path, r.headers, r.body)
   end
   count = #formatted
   at = math.floor(first * count / 2) % count
end

function request()
   at = at % count + 1
   return formatted[at]
end
