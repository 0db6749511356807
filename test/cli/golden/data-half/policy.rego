package main

limit := 3

deny contains "x" if input.spec.replicas > limit
