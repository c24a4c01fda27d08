-- Requests random products of the book's thousand. The fixed seed gives every server the
-- same order.
math.randomseed(9)

function request()
  return wrk.format("GET", wrk.path .. math.random(1000))
end
