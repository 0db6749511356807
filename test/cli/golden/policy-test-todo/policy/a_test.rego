package a_test
import rego.v1
todo_test_later if false
