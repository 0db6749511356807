# METADATA
# scope: package
# title: RBAC
# description: The rules of Roles and the subjects of bindings, and what cannot be read as such.
package countersign.lib.rbac

import rego.v1

_roles := {"Role", "ClusterRole"}

_bindings := {"RoleBinding", "ClusterRoleBinding"}

_fields := ["verbs", "resources", "apiGroups", "nonResourceURLs", "resourceNames"]

# Every rule of a Role: {"index", "rule"}, with its fields as lists of texts; what is missing or null is empty.
rules contains {"index": i, "rule": {field: _texts(item, field) | some field in _fields}} if {
	input.object.kind in _roles
	is_array(input.object.rules)
	some i, item in input.object.rules
	is_object(item)
}

# Every subject of a binding: {"index", "name"}.
subjects contains {"index": i, "name": item.name} if {
	input.object.kind in _bindings
	is_array(input.object.subjects)
	some i, item in input.object.subjects
	is_string(item.name)
}

# The name of the ClusterRole that a binding gives; undefined for a Role of the binding's own namespace.
cluster_role := input.object.roleRef.name if {
	input.object.kind in _bindings
	input.object.roleRef.kind == "ClusterRole"
}

# What cannot be read as a Role. Every rule over Roles denies it, since any of them may be used alone.
malformed_role contains {"msg": "rules is not a list of rules", "path": "/rules"} if {
	input.object.kind in _roles
	not _are_rules(object.get(input.object, "rules", null))
}

# What cannot be read as a binding.
malformed_binding contains {"msg": "subjects is not a list of subjects", "path": "/subjects"} if {
	input.object.kind in _bindings
	not _are_subjects(object.get(input.object, "subjects", null))
}

malformed_binding contains {"msg": "roleRef is no reference to a role", "path": "/roleRef"} if {
	input.object.kind in _bindings
	reference := object.get(input.object, "roleRef", {"kind": "", "name": ""})
	not _is_named(reference)
}

_texts(item, field) := [text | some text in item[field]; is_string(text)]

_are_rules(items) if items == null

_are_rules(items) if {
	is_array(items)
	every item in items {
		is_object(item)
		every field in _fields { _are_texts(object.get(item, field, null)) }
	}
}

_are_texts(items) if items == null

_are_texts(items) if {
	is_array(items)
	every item in items { is_string(item) }
}

_are_subjects(items) if items == null

_are_subjects(items) if {
	is_array(items)
	every item in items { _is_named(item) }
}

_is_named(item) if {
	is_string(item.kind)
	is_string(item.name)
}
