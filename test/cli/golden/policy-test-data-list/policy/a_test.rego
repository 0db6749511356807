package a_test

test_both if true
