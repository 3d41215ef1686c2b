// Command crds prints the CustomResourceDefinitions that the charts of Karpenter and Velero install, as JSON by chart.
package main

import (
	"encoding/json"
	"os"

	karpenter "github.com/aws/karpenter-provider-aws/pkg/apis"
	velero "github.com/vmware-tanzu/velero/config/crd/v1/crds"
	veleroData "github.com/vmware-tanzu/velero/config/crd/v2alpha1/crds"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

func main() {
	charts := map[string][]*apiextensions.CustomResourceDefinition{
		"karpenter-crd": karpenter.CRDs,
		"velero":        append(velero.CRDs, veleroData.CRDs...),
	}
	if err := json.NewEncoder(os.Stdout).Encode(charts); err != nil {
		panic(err)
	}
}
