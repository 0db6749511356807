package main_test

import data.main

test_good if count(main.deny) == 0 with input as {"kind": "Job"}

test_bad if {
	found := main.deny with input as {"kind": "Pod", "containers": [{"name": "a"}]}
	print("found", found)
	found == set()
}

test_cases[name] if {
	some name, kind in {"a": "Job", "b": "Pod"}
	count(main.deny) == 0 with input as {"kind": kind, "containers": [{"name": "c"}]}
}

todo_test_later if false
