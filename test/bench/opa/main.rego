# How OPA answers an API server with rules that were written for Conftest: POST / or /v0/data/system/main.
package system

import rego.v1

main := {
	"apiVersion": "admission.k8s.io/v1",
	"kind": "AdmissionReview",
	"response": response,
}

denials := found if found := data.main.deny with input as input.request.object

warnings := found if found := data.main.warn with input as input.request.object

default response := {"allowed": false}

response := {"uid": input.request.uid, "allowed": true, "warnings": warnings} if count(denials) == 0

response := {
	"uid": input.request.uid,
	"allowed": false,
	"status": {"code": 403, "message": concat("\n", denials)},
	"warnings": warnings,
} if {
	count(denials) > 0
}
