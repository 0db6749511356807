package main_test

import rego.v1

test_good if 1 == 1

test_bad if {
	print("one is not two")
	1 == 2
}
