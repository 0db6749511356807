package main
import rego.v1
deny contains "brought" if data.exempt
