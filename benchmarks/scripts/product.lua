-- Which product is asked for? A random one of the book's thousand, in the same order
-- whoever is asked: the seed is.
math.randomseed(9)

function request()
  return wrk.format("GET", wrk.path .. math.random(1000))
end
