// SPDX-License-Identifier: Apache-2.0

package main

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	admissionregistrationv1alpha1 "k8s.io/api/admissionregistration/v1alpha1"
	admissionregistrationv1beta1 "k8s.io/api/admissionregistration/v1beta1"
	appsv1 "k8s.io/api/apps/v1"
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	authenticationv1 "k8s.io/api/authentication/v1"
	authenticationv1alpha1 "k8s.io/api/authentication/v1alpha1"
	authenticationv1beta1 "k8s.io/api/authentication/v1beta1"
	authorizationv1 "k8s.io/api/authorization/v1"
	authorizationv1beta1 "k8s.io/api/authorization/v1beta1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	certificatesv1 "k8s.io/api/certificates/v1"
	certificatesv1alpha1 "k8s.io/api/certificates/v1alpha1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	coordinationv1 "k8s.io/api/coordination/v1"
	coordinationv1alpha2 "k8s.io/api/coordination/v1alpha2"
	coordinationv1beta1 "k8s.io/api/coordination/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	discoveryv1beta1 "k8s.io/api/discovery/v1beta1"
	eventsv1 "k8s.io/api/events/v1"
	eventsv1beta1 "k8s.io/api/events/v1beta1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	flowcontrolv1beta1 "k8s.io/api/flowcontrol/v1beta1"
	flowcontrolv1beta2 "k8s.io/api/flowcontrol/v1beta2"
	flowcontrolv1beta3 "k8s.io/api/flowcontrol/v1beta3"
	lifecyclev1alpha1 "k8s.io/api/lifecycle/v1alpha1"
	networkingv1 "k8s.io/api/networking/v1"
	networkingv1beta1 "k8s.io/api/networking/v1beta1"
	nodev1 "k8s.io/api/node/v1"
	nodev1alpha1 "k8s.io/api/node/v1alpha1"
	nodev1beta1 "k8s.io/api/node/v1beta1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	rbacv1 "k8s.io/api/rbac/v1"
	rbacv1alpha1 "k8s.io/api/rbac/v1alpha1"
	rbacv1beta1 "k8s.io/api/rbac/v1beta1"
	resourcev1 "k8s.io/api/resource/v1"
	resourcev1alpha3 "k8s.io/api/resource/v1alpha3"
	resourcev1beta1 "k8s.io/api/resource/v1beta1"
	resourcev1beta2 "k8s.io/api/resource/v1beta2"
	schedulingv1 "k8s.io/api/scheduling/v1"
	schedulingv1alpha3 "k8s.io/api/scheduling/v1alpha3"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	storagev1alpha1 "k8s.io/api/storage/v1alpha1"
	storagev1beta1 "k8s.io/api/storage/v1beta1"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	storagemigrationv1beta1 "k8s.io/api/storagemigration/v1beta1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	apiregistrationv1beta1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1beta1"
	admissionregistrationv1defaults "k8s.io/kubernetes/pkg/apis/admissionregistration/v1"
	admissionregistrationv1alpha1defaults "k8s.io/kubernetes/pkg/apis/admissionregistration/v1alpha1"
	admissionregistrationv1beta1defaults "k8s.io/kubernetes/pkg/apis/admissionregistration/v1beta1"
	appsv1defaults "k8s.io/kubernetes/pkg/apis/apps/v1"
	authenticationv1defaults "k8s.io/kubernetes/pkg/apis/authentication/v1"
	autoscalingv1defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v1"
	autoscalingv2defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	batchv1defaults "k8s.io/kubernetes/pkg/apis/batch/v1"
	certificatesv1defaults "k8s.io/kubernetes/pkg/apis/certificates/v1"
	certificatesv1beta1defaults "k8s.io/kubernetes/pkg/apis/certificates/v1beta1"
	corev1defaults "k8s.io/kubernetes/pkg/apis/core/v1"
	discoveryv1defaults "k8s.io/kubernetes/pkg/apis/discovery/v1"
	flowcontrolv1defaults "k8s.io/kubernetes/pkg/apis/flowcontrol/v1"
	networkingv1defaults "k8s.io/kubernetes/pkg/apis/networking/v1"
	rbacv1defaults "k8s.io/kubernetes/pkg/apis/rbac/v1"
	rbacv1alpha1defaults "k8s.io/kubernetes/pkg/apis/rbac/v1alpha1"
	resourcev1defaults "k8s.io/kubernetes/pkg/apis/resource/v1"
	resourcev1alpha3defaults "k8s.io/kubernetes/pkg/apis/resource/v1alpha3"
	resourcev1beta1defaults "k8s.io/kubernetes/pkg/apis/resource/v1beta1"
	resourcev1beta2defaults "k8s.io/kubernetes/pkg/apis/resource/v1beta2"
	schedulingv1defaults "k8s.io/kubernetes/pkg/apis/scheduling/v1"
	schedulingv1alpha3defaults "k8s.io/kubernetes/pkg/apis/scheduling/v1alpha3"
	schedulingv1beta1defaults "k8s.io/kubernetes/pkg/apis/scheduling/v1beta1"
	storagev1defaults "k8s.io/kubernetes/pkg/apis/storage/v1"
)

// The groups that a kube-apiserver of 1.37 serves, and versions that it served once: with the types of their API packages alone,
// without the internal ones and the conversions between them, which take most of the time to start.
var groups = []func(*runtime.Scheme) error{
	admissionregistrationv1.AddToScheme,
	admissionregistrationv1alpha1.AddToScheme,
	admissionregistrationv1beta1.AddToScheme,
	appsv1.AddToScheme,
	appsv1beta1.AddToScheme,
	appsv1beta2.AddToScheme,
	authenticationv1.AddToScheme,
	authenticationv1alpha1.AddToScheme,
	authenticationv1beta1.AddToScheme,
	authorizationv1.AddToScheme,
	authorizationv1beta1.AddToScheme,
	autoscalingv1.AddToScheme,
	autoscalingv2.AddToScheme,
	batchv1.AddToScheme,
	batchv1beta1.AddToScheme,
	certificatesv1.AddToScheme,
	certificatesv1alpha1.AddToScheme,
	certificatesv1beta1.AddToScheme,
	coordinationv1.AddToScheme,
	coordinationv1alpha2.AddToScheme,
	coordinationv1beta1.AddToScheme,
	corev1.AddToScheme,
	discoveryv1.AddToScheme,
	discoveryv1beta1.AddToScheme,
	eventsv1.AddToScheme,
	eventsv1beta1.AddToScheme,
	extensionsv1beta1.AddToScheme,
	flowcontrolv1.AddToScheme,
	flowcontrolv1beta1.AddToScheme,
	flowcontrolv1beta2.AddToScheme,
	flowcontrolv1beta3.AddToScheme,
	lifecyclev1alpha1.AddToScheme,
	networkingv1.AddToScheme,
	networkingv1beta1.AddToScheme,
	nodev1.AddToScheme,
	nodev1alpha1.AddToScheme,
	nodev1beta1.AddToScheme,
	policyv1.AddToScheme,
	policyv1beta1.AddToScheme,
	rbacv1.AddToScheme,
	rbacv1alpha1.AddToScheme,
	rbacv1beta1.AddToScheme,
	resourcev1.AddToScheme,
	resourcev1alpha3.AddToScheme,
	resourcev1beta1.AddToScheme,
	resourcev1beta2.AddToScheme,
	schedulingv1.AddToScheme,
	schedulingv1alpha3.AddToScheme,
	schedulingv1beta1.AddToScheme,
	storagev1.AddToScheme,
	storagev1alpha1.AddToScheme,
	storagev1beta1.AddToScheme,
	storagemigrationv1.AddToScheme,
	storagemigrationv1beta1.AddToScheme,
	apiextensionsv1.AddToScheme,
	apiextensionsv1beta1.AddToScheme,
	apiregistrationv1.AddToScheme,
	apiregistrationv1beta1.AddToScheme,
}

// The defaults of the API server, which are no part of the API packages; versions that have none or are served no more are left out.
var defaults = []func(*runtime.Scheme) error{
	admissionregistrationv1defaults.RegisterDefaults,
	admissionregistrationv1alpha1defaults.RegisterDefaults,
	admissionregistrationv1beta1defaults.RegisterDefaults,
	appsv1defaults.RegisterDefaults,
	authenticationv1defaults.RegisterDefaults,
	autoscalingv1defaults.RegisterDefaults,
	autoscalingv2defaults.RegisterDefaults,
	batchv1defaults.RegisterDefaults,
	certificatesv1defaults.RegisterDefaults,
	certificatesv1beta1defaults.RegisterDefaults,
	corev1defaults.RegisterDefaults,
	discoveryv1defaults.RegisterDefaults,
	flowcontrolv1defaults.RegisterDefaults,
	networkingv1defaults.RegisterDefaults,
	rbacv1defaults.RegisterDefaults,
	rbacv1alpha1defaults.RegisterDefaults,
	resourcev1defaults.RegisterDefaults,
	resourcev1alpha3defaults.RegisterDefaults,
	resourcev1beta1defaults.RegisterDefaults,
	resourcev1beta2defaults.RegisterDefaults,
	schedulingv1defaults.RegisterDefaults,
	schedulingv1alpha3defaults.RegisterDefaults,
	schedulingv1beta1defaults.RegisterDefaults,
	storagev1defaults.RegisterDefaults,
	apiextensionsv1.RegisterDefaults,
	apiregistrationv1.RegisterDefaults,
}
