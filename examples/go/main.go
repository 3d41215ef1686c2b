package main

import (
	"github.com/eks-analytics/pulumi-eks-analytics/sdk/go/eksanalytics"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		network, err := eksanalytics.NewNetwork(ctx, "shared", &eksanalytics.NetworkArgs{
			ClusterName:       "shared",
			Region:            "us-east-1",
			AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		})
		if err != nil {
			return err
		}
		_, err = eksanalytics.NewDnsFirewall(ctx, "shared", &eksanalytics.DnsFirewallArgs{
			ClusterName: "shared",
			Region:      "us-east-1",
			BaseDomain:  "dash.example.com",
			VpcId:       network.VpcId,
		})
		if err != nil {
			return err
		}
		ctx.Export("privateSubnetIds", network.PrivateSubnetIds)
		return nil
	})
}
