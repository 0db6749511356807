package c

r[x] { x := 1 }
