import { DnsFirewall, Network } from "@eks-analytics/eks-analytics";

const network = new Network("shared", {
    clusterName: "shared",
    region: "us-east-1",
    availabilityZones: ["us-east-1a", "us-east-1b"],
});
new DnsFirewall("shared", {
    clusterName: "shared",
    region: "us-east-1",
    baseDomain: "dash.example.com",
    vpcId: network.vpcId,
});

export const privateSubnetIds = network.privateSubnetIds;
