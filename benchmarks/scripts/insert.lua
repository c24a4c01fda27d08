-- Creates products of random brands, in the same order for every server. Products of a
-- single brand would wait for the lock of its row, which is unlike a real catalog.
math.randomseed(9)

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function request()
  local body = '{"product_name": "A hammer", "brand_id": ' .. math.random(100) .. "}"
  return wrk.format(nil, nil, nil, body)
end
