-- Which product is made? One of a random brand, in the same order whoever is asked. Of
-- one brand, they would wait for its row's lock, as catalogs do not.
math.randomseed(9)

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function request()
  local body = '{"product_name": "A hammer", "brand_id": ' .. math.random(100) .. "}"
  return wrk.format(nil, nil, nil, body)
end
