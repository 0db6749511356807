package main

recursive if recursive

unsafe if x > 1

f(x) := x

f(x, y) := x + y

p := nosuch(1)
