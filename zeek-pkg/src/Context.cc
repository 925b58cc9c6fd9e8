#include "Context.h"

#include <zeek/Attr.h>
#include <zeek/Desc.h>

#include <algorithm>

#include "ZeekCompat.h"

namespace iforest {

bool Context::Resolve(const zeek::RecordType& type) {
    fields.clear();
    for ( int i = 0; i < type.NumFields(); ++i ) {
        const auto* field = type.FieldDecl(i);
        if ( field->attrs && field->attrs->Find(zeek::detail::ATTR_LOG) )
            fields.push_back({field->id, i});
    }
    std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return ! fields.empty();
}

iforest_text Context::Text(const zeek::RecordVal& ctx) {
    text.clear();
    for ( const auto& field : fields ) {
        if ( ! ctx.HasField(field.at) )
            continue;

        const auto value = ctx.GetField(field.at);
        if ( ! value )
            continue;

        if ( ! text.empty() )
            text += ',';
        text += field.name;
        text += '=';
        zeek::ODesc d;
        value->Describe(&d);
        text.append(reinterpret_cast<const char*>(d.Bytes()), d.Size());
    }
    return {text.data(), text.size()};
}

} // namespace iforest
