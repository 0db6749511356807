package main

deny contains msg if {
	input.kind == "Pod"
	some c in input.containers
	not c.limits
	msg := sprintf("%s has no limits", [c.name])
}

deny contains "too many" if many

many if count(input.containers) > data.most

warn contains "named" if input.name
