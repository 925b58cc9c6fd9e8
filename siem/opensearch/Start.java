import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * Starts an OpenSearch of one node on loopback: java -cp 'JARS/*' Start.java DATA PORT (9201 to 9299).
 * The runner's own main gives its nodes no role that runs ingest pipelines.
 */
class Start {
    public static void main(String[] args) throws Exception {
        var runner = new OpenSearchRunner();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                runner.close();
            } catch (java.io.IOException e) {
                System.err.println(e);
            }
        }));
        runner.onBuild((number, settings) -> settings
            .putList("node.roles", "cluster_manager", "data", "ingest")
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node"));
        runner.build("-basePath", args[0], "-numOfNode", "1", "-baseHttpPort", String.valueOf(Integer.parseInt(args[1]) - 1));
        Thread.currentThread().join();
    }
}
