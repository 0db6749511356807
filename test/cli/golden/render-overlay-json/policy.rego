package main

deny contains {"msg": "a container is privileged", "path": sprintf("/spec/containers/%d/securityContext/privileged", [i])} if {
	some i
	input.spec.containers[i].securityContext.privileged
}
