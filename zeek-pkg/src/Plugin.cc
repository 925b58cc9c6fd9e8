#include "Plugin.h"

namespace iforest {

Plugin plugin;

zeek::plugin::Configuration Plugin::Configure() {
    zeek::plugin::Configuration config;
    config.name = "IForest::Scorer";
    config.description = "Anomaly scores for connections from an Isolation Forest";
    config.version.major = IFOREST_VERSION_MAJOR;
    config.version.minor = IFOREST_VERSION_MINOR;
    config.version.patch = IFOREST_VERSION_PATCH;
    return config;
}

// The library lies beside this one, wherever zkg has put the plugin. Its name
// must not end like a plugin's (*.linux-x86_64.so): Zeek would load it itself.
void Plugin::InitPreScript() { scorer = std::make_unique<Scorer>(PluginDirectory() + "/lib/libiforest.so"); }

} // namespace iforest
