# METADATA
# scope: package
# title: "Roles name what they allow"
# description: "No rule of a Role or ClusterRole allows all verbs, resources or API groups."
# custom:
#   severity: high
#   controls: [cis:5.1.3]
#   remedy: "list the verbs, resources and API groups that are needed"
package countersign.rules.rbac.wildcard

import rego.v1

_kinds := {"Role", "ClusterRole"}

_fields := ["verbs", "resources", "apiGroups", "nonResourceURLs"]

deny contains {"msg": sprintf("rule %d allows all %s", [i, field]), "path": sprintf("/rules/%d/%s", [i, field])} if {
	input.object.kind in _kinds
	is_array(input.object.rules)
	some i, rule in input.object.rules
	some field in _fields
	some item in rule[field]
	is_string(item)
	contains(item, "*")
}

deny contains {"msg": "rules is not a list of rules", "path": "/rules"} if {
	input.object.kind in _kinds
	rules := object.get(input.object, "rules", [])
	not _is_readable(rules)
}

_is_readable(rules) if rules == null

_is_readable(rules) if {
	is_array(rules)
	every rule in rules {
		is_object(rule)
		every field in _fields { _are_texts(object.get(rule, field, [])) }
	}
}

_are_texts(items) if items == null

_are_texts(items) if {
	is_array(items)
	every item in items { is_string(item) }
}
