package main

x := "seen" if print("look", 1)
