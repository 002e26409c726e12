-- read_requests reads a file of requests: one a line, as method, path, body and
-- headers with tabs between.
function read_requests(file)
   local requests = {}
   for line in io.lines(file) do
      local parts, headers = {}, {}
      for part in (line .. "\t"):gmatch("([^\t]*)\t") do
         parts[#parts + 1] = part
      end
      for i = 4, #parts do
         local name, value = parts[i]:match("^(.-): (.*)$")
         headers[name] = value
      end
      local body = parts[3] ~= "" and parts[3] or nil
      requests[#requests + 1] = {method = parts[1], path = parts[2], body = body, headers = headers}
   end
   return requests
end

-- done says the result in a line of its own. Times are microseconds.
function done(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '\nresult {"requests":%d,"duration":%d,"bytes":%d,"errors":%d,"p50":%d,"p99":%d}\n',
      summary.requests, summary.duration, summary.bytes, e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50), latency:percentile(99)))
end
