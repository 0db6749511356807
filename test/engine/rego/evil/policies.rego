package main

import rego.v1

# Each rule is evaluated on its own, and none of them may hold up or harm the process.

cross_product if {
	some i in numbers.range(1, 100000)
	some j in numbers.range(1, 100000)
	i * j < 0
}

cross_product_comprehension if {
	count([1 | some i in numbers.range(1, 50000); some j in numbers.range(1, 50000); i + j < 0]) > 0
}

cross_product_of_input if {
	some a in input.words
	some b in input.words
	some c in input.words
	some d in input.words
	a == concat("", [b, c, d])
}

join_of_sets if {
	count({[i, j] | some i in numbers.range(1, 10000); some j in numbers.range(1, 10000)}) < 0
}

walks_over_walks if {
	walk(input, [_, a])
	walk(numbers.range(1, 3000), [_, b])
	walk(numbers.range(1, 3000), [_, c])
	a == {b, c}
}

concat_doubling if {
	x0 := concat("", [input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s, input.s])
	x1 := concat("", [x0, x0, x0, x0, x0, x0, x0, x0, x0, x0, x0, x0, x0, x0, x0, x0])
	x2 := concat("", [x1, x1, x1, x1, x1, x1, x1, x1, x1, x1, x1, x1, x1, x1, x1, x1])
	x3 := concat("", [x2, x2, x2, x2, x2, x2, x2, x2, x2, x2, x2, x2, x2, x2, x2, x2])
	x4 := concat("", [x3, x3, x3, x3, x3, x3, x3, x3, x3, x3, x3, x3, x3, x3, x3, x3])
	x5 := concat("", [x4, x4, x4, x4, x4, x4, x4, x4, x4, x4, x4, x4, x4, x4, x4, x4])
	x6 := concat("", [x5, x5, x5, x5, x5, x5, x5, x5, x5, x5, x5, x5, x5, x5, x5, x5])
	x7 := concat("", [x6, x6, x6, x6, x6, x6, x6, x6, x6, x6, x6, x6, x6, x6, x6, x6])
	count(x7) < 0
}

concat_past_four_gigabytes if {
	a := concat("", [input.s | some _ in numbers.range(1, 60)])
	b := concat("", [a | some _ in numbers.range(1, 80000)])
	count(b) < 10
}

sprintf_doubling if {
	x0 := sprintf("%s%s%s%s", [input.s, input.s, input.s, input.s])
	x1 := sprintf("%s%s%s%s", [x0, x0, x0, x0])
	x2 := sprintf("%s%s%s%s", [x1, x1, x1, x1])
	x3 := sprintf("%s%s%s%s", [x2, x2, x2, x2])
	x4 := sprintf("%s%s%s%s", [x3, x3, x3, x3])
	x5 := sprintf("%s%s%s%s", [x4, x4, x4, x4])
	x6 := sprintf("%s%s%s%s", [x5, x5, x5, x5])
	x7 := sprintf("%s%s%s%s", [x6, x6, x6, x6])
	x8 := sprintf("%s%s%s%s", [x7, x7, x7, x7])
	x9 := sprintf("%s%s%s%s", [x8, x8, x8, x8])
	x10 := sprintf("%s%s%s%s", [x9, x9, x9, x9])
	x11 := sprintf("%s%s%s%s", [x10, x10, x10, x10])
	count(x11) < 0
}

sprintf_width if {
	sprintf("%300000000d", [1]) == ""
}

sprintf_many_widths if {
	some i in numbers.range(1, 10000000)
	sprintf("%1000d%1000d%1000d", [i, i, i]) == ""
}

replace_growth if {
	x0 := replace(input.s, "y", "yyyyyyyy")
	x1 := replace(x0, "y", "yyyyyyyy")
	x2 := replace(x1, "y", "yyyyyyyy")
	x3 := replace(x2, "y", "yyyyyyyy")
	x4 := replace(x3, "y", "yyyyyyyy")
	x5 := replace(x4, "y", "yyyyyyyy")
	x6 := replace(x5, "y", "yyyyyyyy")
	x7 := replace(x6, "y", "yyyyyyyy")
	x8 := replace(x7, "y", "yyyyyyyy")
	x9 := replace(x8, "y", "yyyyyyyy")
	x10 := replace(x9, "y", "yyyyyyyy")
	x11 := replace(x10, "y", "yyyyyyyy")
	count(x11) < 0
}

quotes_of_quotes if {
	x0 := json.marshal("\"\"\"\"\"\"\"\"")
	x1 := json.marshal(x0)
	x2 := json.marshal(x1)
	x3 := json.marshal(x2)
	x4 := json.marshal(x3)
	x5 := json.marshal(x4)
	x6 := json.marshal(x5)
	x7 := json.marshal(x6)
	x8 := json.marshal(x7)
	x9 := json.marshal(x8)
	x10 := json.marshal(x9)
	x11 := json.marshal(x10)
	x12 := json.marshal(x11)
	x13 := json.marshal(x12)
	x14 := json.marshal(x13)
	x15 := json.marshal(x14)
	x16 := json.marshal(x15)
	x17 := json.marshal(x16)
	x18 := json.marshal(x17)
	x19 := json.marshal(x18)
	x20 := json.marshal(x19)
	x21 := json.marshal(x20)
	x22 := json.marshal(x21)
	x23 := json.marshal(x22)
	x24 := json.marshal(x23)
	x25 := json.marshal(x24)
	x26 := json.marshal(x25)
	x27 := json.marshal(x26)
	x28 := json.marshal(x27)
	x29 := json.marshal(x28)
	x30 := json.marshal(x29)
	x31 := json.marshal(x30)
	x32 := json.marshal(x31)
	x33 := json.marshal(x32)
	x34 := json.marshal(x33)
	x35 := json.marshal(x34)
	x36 := json.marshal(x35)
	x37 := json.marshal(x36)
	x38 := json.marshal(x37)
	x39 := json.marshal(x38)
	count(x39) < 0
}

base64_of_base64 if {
	x0 := base64.encode(input.s)
	x1 := base64.encode(x0)
	x2 := base64.encode(x1)
	x3 := base64.encode(x2)
	x4 := base64.encode(x3)
	x5 := base64.encode(x4)
	x6 := base64.encode(x5)
	x7 := base64.encode(x6)
	x8 := base64.encode(x7)
	x9 := base64.encode(x8)
	x10 := base64.encode(x9)
	x11 := base64.encode(x10)
	x12 := base64.encode(x11)
	x13 := base64.encode(x12)
	x14 := base64.encode(x13)
	x15 := base64.encode(x14)
	x16 := base64.encode(x15)
	x17 := base64.encode(x16)
	x18 := base64.encode(x17)
	x19 := base64.encode(x18)
	x20 := base64.encode(x19)
	x21 := base64.encode(x20)
	x22 := base64.encode(x21)
	x23 := base64.encode(x22)
	x24 := base64.encode(x23)
	x25 := base64.encode(x24)
	x26 := base64.encode(x25)
	x27 := base64.encode(x26)
	x28 := base64.encode(x27)
	x29 := base64.encode(x28)
	x30 := base64.encode(x29)
	x31 := base64.encode(x30)
	x32 := base64.encode(x31)
	x33 := base64.encode(x32)
	x34 := base64.encode(x33)
	x35 := base64.encode(x34)
	x36 := base64.encode(x35)
	x37 := base64.encode(x36)
	x38 := base64.encode(x37)
	x39 := base64.encode(x38)
	x40 := base64.encode(x39)
	x41 := base64.encode(x40)
	x42 := base64.encode(x41)
	x43 := base64.encode(x42)
	x44 := base64.encode(x43)
	x45 := base64.encode(x44)
	x46 := base64.encode(x45)
	x47 := base64.encode(x46)
	x48 := base64.encode(x47)
	x49 := base64.encode(x48)
	x50 := base64.encode(x49)
	x51 := base64.encode(x50)
	x52 := base64.encode(x51)
	x53 := base64.encode(x52)
	x54 := base64.encode(x53)
	x55 := base64.encode(x54)
	x56 := base64.encode(x55)
	x57 := base64.encode(x56)
	x58 := base64.encode(x57)
	x59 := base64.encode(x58)
	count(x59) < 0
}

many_patterns if {
	some i in numbers.range(1, 1000000)
	regex.match(sprintf("a{%d}b{%d}", [i % 900, i % 800]), input.s)
	i < 0
}

pattern_of_repetitions if {
	some i in numbers.range(1, 100000)
	regex.match(sprintf("((((a{%d}){30}){30}){30})b%d", [(i % 30) + 1, i]), input.s)
	i < 0
}

pattern_over_long_text if {
	text := concat("", [input.s | some _ in numbers.range(1, 2000)])
	some i in numbers.range(1, 1000)
	regex.match(sprintf("^(y|y)*(y*)*z%d$", [i]), text)
}

glob_over_long_text if {
	text := concat("", [input.s | some _ in numbers.range(1, 2000)])
	some i in numbers.range(1, 1000)
	glob.match(sprintf("*y*y*y*z%d", [i]), [], text)
}

union_tree if {
	x0 := object.union({"a": {"k": input.words}, "b": {"k": input.words}, "c": {"k": input.words}}, {"a": {"k": input.words}, "d": {"k": input.words}})
	x1 := object.union({"a": x0, "b": x0, "c": x0}, {"a": x0, "d": x0})
	x2 := object.union({"a": x1, "b": x1, "c": x1}, {"a": x1, "d": x1})
	x3 := object.union({"a": x2, "b": x2, "c": x2}, {"a": x2, "d": x2})
	x4 := object.union({"a": x3, "b": x3, "c": x3}, {"a": x3, "d": x3})
	x5 := object.union({"a": x4, "b": x4, "c": x4}, {"a": x4, "d": x4})
	x6 := object.union({"a": x5, "b": x5, "c": x5}, {"a": x5, "d": x5})
	x7 := object.union({"a": x6, "b": x6, "c": x6}, {"a": x6, "d": x6})
	x8 := object.union({"a": x7, "b": x7, "c": x7}, {"a": x7, "d": x7})
	x9 := object.union({"a": x8, "b": x8, "c": x8}, {"a": x8, "d": x8})
	x10 := object.union({"a": x9, "b": x9, "c": x9}, {"a": x9, "d": x9})
	x11 := object.union({"a": x10, "b": x10, "c": x10}, {"a": x10, "d": x10})
	x12 := object.union({"a": x11, "b": x11, "c": x11}, {"a": x11, "d": x11})
	x13 := object.union({"a": x12, "b": x12, "c": x12}, {"a": x12, "d": x12})
	x14 := object.union({"a": x13, "b": x13, "c": x13}, {"a": x13, "d": x13})
	x15 := object.union({"a": x14, "b": x14, "c": x14}, {"a": x14, "d": x14})
	x16 := object.union({"a": x15, "b": x15, "c": x15}, {"a": x15, "d": x15})
	x17 := object.union({"a": x16, "b": x16, "c": x16}, {"a": x16, "d": x16})
	x18 := object.union({"a": x17, "b": x17, "c": x17}, {"a": x17, "d": x17})
	x19 := object.union({"a": x18, "b": x18, "c": x18}, {"a": x18, "d": x18})
	x20 := object.union({"a": x19, "b": x19, "c": x19}, {"a": x19, "d": x19})
	x21 := object.union({"a": x20, "b": x20, "c": x20}, {"a": x20, "d": x20})
	x22 := object.union({"a": x21, "b": x21, "c": x21}, {"a": x21, "d": x21})
	x23 := object.union({"a": x22, "b": x22, "c": x22}, {"a": x22, "d": x22})
	x24 := object.union({"a": x23, "b": x23, "c": x23}, {"a": x23, "d": x23})
	x25 := object.union({"a": x24, "b": x24, "c": x24}, {"a": x24, "d": x24})
	x26 := object.union({"a": x25, "b": x25, "c": x25}, {"a": x25, "d": x25})
	x27 := object.union({"a": x26, "b": x26, "c": x26}, {"a": x26, "d": x26})
	x28 := object.union({"a": x27, "b": x27, "c": x27}, {"a": x27, "d": x27})
	x29 := object.union({"a": x28, "b": x28, "c": x28}, {"a": x28, "d": x28})
	json.marshal(x29) == ""
}

union_of_many if {
	count(object.union_n([{sprintf("%d", [i]): {sprintf("%d", [j]): 1 | some j in numbers.range(1, 1000)}} | some i in numbers.range(1, 10000)])) < 0
}

arrays_doubling if {
	x0 := array.concat(numbers.range(1, 1000), numbers.range(1, 1000))
	x1 := array.concat(x0, x0)
	x2 := array.concat(x1, x1)
	x3 := array.concat(x2, x2)
	x4 := array.concat(x3, x3)
	x5 := array.concat(x4, x4)
	x6 := array.concat(x5, x5)
	x7 := array.concat(x6, x6)
	x8 := array.concat(x7, x7)
	x9 := array.concat(x8, x8)
	x10 := array.concat(x9, x9)
	x11 := array.concat(x10, x10)
	x12 := array.concat(x11, x11)
	x13 := array.concat(x12, x12)
	x14 := array.concat(x13, x13)
	x15 := array.concat(x14, x14)
	x16 := array.concat(x15, x15)
	x17 := array.concat(x16, x16)
	x18 := array.concat(x17, x17)
	x19 := array.concat(x18, x18)
	x20 := array.concat(x19, x19)
	x21 := array.concat(x20, x20)
	x22 := array.concat(x21, x21)
	x23 := array.concat(x22, x22)
	count(x23) < 0
}

huge_range if {
	count(numbers.range(0, 1000000000)) < 0
}

functions_that_double if {
	f40(input.n) < 0
}

deep_json if {
	json.unmarshal(input.deep)
}

deep_json_of_objects if {
	json.unmarshal(concat("", [concat("", ["{\"a\":" | some _ in numbers.range(1, 5000)]), "1"]))
}

huge_exponent if {
	1 + to_number("1e1000000000") == 0
}

squares if {
	x0 := to_number("98765432109876543210") * to_number("98765432109876543210")
	x1 := x0 * x0
	x2 := x1 * x1
	x3 := x2 * x2
	x4 := x3 * x3
	x5 := x4 * x4
	x6 := x5 * x5
	x7 := x6 * x6
	x8 := x7 * x7
	x9 := x8 * x8
	x10 := x9 * x9
	x11 := x10 * x10
	x12 := x11 * x11
	x13 := x12 * x12
	x14 := x13 * x13
	x15 := x14 * x14
	x16 := x15 * x15
	x17 := x16 * x16
	x18 := x17 * x17
	x19 := x18 * x18
	x20 := x19 * x19
	x21 := x20 * x20
	x22 := x21 * x21
	x23 := x22 * x22
	x24 := x23 * x23
	x25 := x24 * x24
	x26 := x25 * x25
	x27 := x26 * x26
	x28 := x27 * x27
	x29 := x28 * x28
	x29 < 0
}

digits_of_squares if {
	x0 := to_number("98765432109876543210") * to_number("98765432109876543210")
	x1 := x0 * x0
	x2 := x1 * x1
	x3 := x2 * x2
	x4 := x3 * x3
	x5 := x4 * x4
	x6 := x5 * x5
	x7 := x6 * x6
	x8 := x7 * x7
	x9 := x8 * x8
	x10 := x9 * x9
	x11 := x10 * x10
	count(format_int(x11, 2)) < 0
}

shift_by_billions if {
	bits.lsh(1, 2000000000) == 0
}

sort_backwards if {
	backwards := sort([x | some i in numbers.range(1, 100000); x := 0 - i])
	backwards[0] > 0
}

split_and_join if {
	some i in numbers.range(1, 1000000)
	concat("a", split(input.s, "y")) == ""
}

search_in_long_text if {
	text := concat("", [input.s | some _ in numbers.range(1, 2000)])
	some i in numbers.range(1, 100000)
	contains(text, concat("", [input.s, "z"]))
}

graph_of_everything if {
	nodes := {sprintf("%d", [i]) | some i in numbers.range(1, 2000)}
	count(graph.reachable({n: nodes | some n in nodes}, nodes)) < 0
}

set_of_sets if {
	count({{i, j, k} | some i in numbers.range(1, 1000); some j in numbers.range(1, 1000); some k in numbers.range(1, 1000)}) < 0
}

huge_result_list := numbers.range(1, 1000000)

huge_result_text := concat("", [input.s | some _ in numbers.range(1, 30000)])

f1(x) := x

f2(x) := f1(x) + f1(x + 2)

f3(x) := f2(x) + f2(x + 3)

f4(x) := f3(x) + f3(x + 4)

f5(x) := f4(x) + f4(x + 5)

f6(x) := f5(x) + f5(x + 6)

f7(x) := f6(x) + f6(x + 7)

f8(x) := f7(x) + f7(x + 8)

f9(x) := f8(x) + f8(x + 9)

f10(x) := f9(x) + f9(x + 10)

f11(x) := f10(x) + f10(x + 11)

f12(x) := f11(x) + f11(x + 12)

f13(x) := f12(x) + f12(x + 13)

f14(x) := f13(x) + f13(x + 14)

f15(x) := f14(x) + f14(x + 15)

f16(x) := f15(x) + f15(x + 16)

f17(x) := f16(x) + f16(x + 17)

f18(x) := f17(x) + f17(x + 18)

f19(x) := f18(x) + f18(x + 19)

f20(x) := f19(x) + f19(x + 20)

f21(x) := f20(x) + f20(x + 21)

f22(x) := f21(x) + f21(x + 22)

f23(x) := f22(x) + f22(x + 23)

f24(x) := f23(x) + f23(x + 24)

f25(x) := f24(x) + f24(x + 25)

f26(x) := f25(x) + f25(x + 26)

f27(x) := f26(x) + f26(x + 27)

f28(x) := f27(x) + f27(x + 28)

f29(x) := f28(x) + f28(x + 29)

f30(x) := f29(x) + f29(x + 30)

f31(x) := f30(x) + f30(x + 31)

f32(x) := f31(x) + f31(x + 32)

f33(x) := f32(x) + f32(x + 33)

f34(x) := f33(x) + f33(x + 34)

f35(x) := f34(x) + f34(x + 35)

f36(x) := f35(x) + f35(x + 36)

f37(x) := f36(x) + f36(x + 37)

f38(x) := f37(x) + f37(x + 38)

f39(x) := f38(x) + f38(x + 39)

f40(x) := f39(x) + f39(x + 40)

deny contains sprintf("%v over %d", [item.x, data.max]) if {
	some item in input.items
	item.x > data.max
	regex.match("^[a-z]+$", item.name)
}
