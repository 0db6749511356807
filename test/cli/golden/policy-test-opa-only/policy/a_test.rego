package a_test

test_patch if json.patch({"a": 1}, [{"op": "remove", "path": "/a"}]) == {}

test_both if true
