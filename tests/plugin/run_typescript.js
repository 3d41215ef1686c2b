// Runs a TypeScript program through the Automation API: FOLDER of the program, then a verb.
const { LocalWorkspace } = require("@pulumi/pulumi/automation");
const tsutils = require("@pulumi/pulumi/tsutils");
const [folder, verb] = process.argv.slice(2);

// Compiles as Pulumi's Node.js host does: @pulumi/pulumi/cmd/run/run.js, whose defaults the program's own options override.
function compileOnRequire() {
    const { tsnodeRequire, typescriptRequire } = tsutils.typeScriptRequireStrings();
    const project = `${folder}/tsconfig.json`;
    const defaults = { target: "ES2020", module: "nodenext", moduleResolution: "nodenext", sourceMap: "true" };
    const compilerOptions = { ...defaults, ...tsutils.loadTypeScriptCompilerOptions(project) };
    require(tsnodeRequire).register({ compiler: typescriptRequire, project, skipProject: false, compilerOptions });
}

async function main() {
    compileOnRequire();
    const stack = await LocalWorkspace.createOrSelectStack({
        projectName: "importing",
        stackName: "dev",
        program: async () => require(`${folder}/index.ts`),
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
