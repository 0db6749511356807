// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// cluster answers `lookup` as if there were nothing in it, as `helm template` does, and remembers what was asked.
type cluster struct {
	mutex sync.Mutex
	asked []string
}

const maxLookups = 20

func (c *cluster) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return &emptyResource{cluster: c, what: fmt.Sprintf("%s %s", apiVersion, kind)}, true, nil
}

func (c *cluster) note(what string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.asked) < maxLookups && !slices.Contains(c.asked, what) {
		c.asked = append(c.asked, what)
	}
}

func (c *cluster) list() []string {
	slices.Sort(c.asked)
	return c.asked
}

// emptyResource has no object of its kind; what else the interface offers nobody calls.
type emptyResource struct {
	dynamic.NamespaceableResourceInterface
	cluster   *cluster
	what      string
	namespace string
}

func (r *emptyResource) Namespace(namespace string) dynamic.ResourceInterface {
	return &emptyResource{cluster: r.cluster, what: r.what, namespace: namespace}
}

func (r *emptyResource) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	return nil, r.none(name)
}

func (r *emptyResource) List(context.Context, metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	return nil, r.none("")
}

func (r *emptyResource) none(name string) error {
	r.cluster.note(fmt.Sprintf("%s %s/%s", r.what, r.namespace, name))
	return apierrors.NewNotFound(schema.GroupResource{}, name)
}
