#pragma once

#include <zeek/plugin/Plugin.h>

#include <memory>

#include "Scorer.h"

namespace iforest {

class Plugin : public zeek::plugin::Plugin {
public:
    // Available after Zeek has set the plugin up.
    Scorer& TheScorer() { return *scorer; }

protected:
    zeek::plugin::Configuration Configure() override;
    void InitPreScript() override;

private:
    std::unique_ptr<Scorer> scorer;
};

extern Plugin plugin;

} // namespace iforest
