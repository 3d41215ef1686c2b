// Runs a compiled program through the Automation API: FOLDER of the program, then a verb.
const { LocalWorkspace } = require("@pulumi/pulumi/automation");
const [folder, verb] = process.argv.slice(2);

async function main() {
    const stack = await LocalWorkspace.createOrSelectStack({
        projectName: "importing",
        stackName: "dev",
        program: async () => require(`${folder}/bin/index.js`),
    });
    await stack.setConfig("aws:region", { value: "us-east-1" });
    const events = [];
    const result = await stack[verb]({ onEvent: (event) => events.push(event) });
    const resources = events.filter((event) => event.resourcePreEvent).map((event) => event.resourcePreEvent.metadata.urn);
    console.log(JSON.stringify({ resources, outputs: result.outputs || {} }));
}

main().catch((error) => {
    console.error(String(error));
    process.exit(1);
});
