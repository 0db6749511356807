package main

f := 1

default d := 1

default d := 2
