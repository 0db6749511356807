# METADATA
# scope: package
# title: RBAC
# description: The rules of Roles and the subjects of bindings, and what cannot be read as such.
package countersign.lib.rbac

import rego.v1

# Other groups have kinds of these names too, with other fields: a roleRef of authorization.openshift.io has no kind.
_group := "rbac.authorization.k8s.io/"

_is_role if {
	startswith(input.object.apiVersion, _group)
	input.object.kind in {"Role", "ClusterRole"}
}

_is_binding if {
	startswith(input.object.apiVersion, _group)
	input.object.kind in {"RoleBinding", "ClusterRoleBinding"}
}

# The object is a ClusterRole, which counts in every namespace and may gather the rules of others.
is_cluster_role if {
	_is_role
	input.object.kind == "ClusterRole"
}

_fields := ["verbs", "resources", "apiGroups", "nonResourceURLs", "resourceNames"]

# Every rule of a Role: {"index", "rule"}, with its fields as lists of texts; what is missing or null is empty.
rules contains {"index": i, "rule": {field: _texts(item, field) | some field in _fields}} if {
	_is_role
	is_array(input.object.rules)
	some i, item in input.object.rules
	is_object(item)
}

# Every subject of a binding: {"index", "name"}.
subjects contains {"index": i, "name": item.name} if {
	_is_binding
	is_array(input.object.subjects)
	some i, item in input.object.subjects
	is_string(item.name)
}

# The name of the ClusterRole that a binding gives; undefined for a Role of the binding's own namespace.
cluster_role := input.object.roleRef.name if {
	_is_binding
	input.object.roleRef.kind == "ClusterRole"
}

# What cannot be read as a Role. Every rule over Roles denies it, since any of them may be used alone.
malformed_role contains {"msg": "rules is not a list of rules", "path": "/rules"} if {
	_is_role
	not _are_rules(object.get(input.object, "rules", null))
}

# What cannot be read as a binding.
malformed_binding contains {"msg": "subjects is not a list of subjects", "path": "/subjects"} if {
	_is_binding
	not _are_subjects(object.get(input.object, "subjects", null))
}

malformed_binding contains {"msg": "roleRef is no reference to a role", "path": "/roleRef"} if {
	_is_binding
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
