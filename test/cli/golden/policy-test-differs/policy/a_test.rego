package a_test

test_wide if count(sprintf("%99999999d", [1])) > 0

test_same if true
