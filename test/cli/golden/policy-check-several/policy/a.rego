package main

recursive if recursive

unsafe if x > 1

p := nosuch(1)
