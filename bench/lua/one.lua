-- Sends one request again and again. It defines no request function: wrk then
-- writes the bytes without asking Lua.
dofile("common.lua")

function init(args)
   local only = read_requests(args[1])[1]
   wrk.method, wrk.path, wrk.body = only.method, only.path, only.body
   for name, value in pairs(only.headers) do
      wrk.headers[name] = value
   end
end
