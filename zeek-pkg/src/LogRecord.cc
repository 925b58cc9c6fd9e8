#include "LogRecord.h"

#include <zeek/IPAddr.h>
#include <zeek/ZeekString.h>

#include <cstring>

#include "ZeekCompat.h"

namespace iforest {

namespace {

using zeek::RecordType, zeek::RecordVal;

zeek::TypeTag TagOf(uint32_t type) {
    switch ( type ) {
        case IFOREST_STRINGS:
        case IFOREST_INTERVALS: return zeek::TYPE_VECTOR;
        case IFOREST_TIME: return zeek::TYPE_TIME;
        case IFOREST_INTERVAL: return zeek::TYPE_INTERVAL;
        case IFOREST_DOUBLE: return zeek::TYPE_DOUBLE;
        case IFOREST_COUNT: return zeek::TYPE_COUNT;
        case IFOREST_PORT: return zeek::TYPE_PORT;
        case IFOREST_BOOL: return zeek::TYPE_BOOL;
        case IFOREST_ENUM: return zeek::TYPE_ENUM;
        case IFOREST_STRING: return zeek::TYPE_STRING;
        case IFOREST_ADDR: return zeek::TYPE_ADDR;
        case IFOREST_CONTEXT: return zeek::TYPE_RECORD;
    }
    return zeek::TYPE_VOID;
}

// The place of the field of that name and type, -1 where there is none.
int Find(const RecordType& record, const char* name, zeek::TypeTag tag) {
    int at = record.FieldOffset(name);
    return at >= 0 && record.GetFieldType(at)->Tag() == tag ? at : -1;
}

// The same for one of the library's types.
int FindField(const RecordType& record, const char* name, uint32_t type) {
    int at = Find(record, name, TagOf(type));
    if ( at < 0 || TagOf(type) != zeek::TYPE_VECTOR )
        return at;

    auto yield = record.GetFieldType(at)->AsVectorType()->Yield()->Tag();
    return yield == (type == IFOREST_STRINGS ? zeek::TYPE_STRING : zeek::TYPE_INTERVAL) ? at : -1;
}

iforest_text TextOf(const zeek::String* s) {
    return {reinterpret_cast<const char*>(s->Bytes()), static_cast<uint64_t>(s->Len())};
}

// Reports whether a field has a value, and makes it where Zeek makes it only
// when it is asked for.
bool Has(const RecordVal& record, int at) {
    if ( record.HasRawField(at) )
        return true;
    return record.HasField(at) && record.GetField(at) && record.HasRawField(at);
}

} // namespace

void LogRecord::Copy(const RecordVal& record, int at, uint32_t type, Place* place, iforest_value* to) {
    switch ( type ) {
        case IFOREST_TIME: to->as.real = record.GetFieldAs<zeek::TimeVal>(at); break;
        case IFOREST_INTERVAL: to->as.real = record.GetFieldAs<zeek::IntervalVal>(at); break;
        case IFOREST_DOUBLE: to->as.real = record.GetFieldAs<zeek::DoubleVal>(at); break;
        case IFOREST_COUNT: to->as.number = record.GetFieldAs<zeek::CountVal>(at); break;
        case IFOREST_PORT: to->as.number = record.GetFieldAs<zeek::PortVal>(at)->Port(); break;
        case IFOREST_BOOL: to->as.number = record.GetFieldAs<zeek::BoolVal>(at) ? 1 : 0; break;
        case IFOREST_ENUM: to->as.number = static_cast<uint64_t>(record.GetFieldAs<zeek::EnumVal>(at)); break;
        case IFOREST_STRING: to->as.text = TextOf(record.GetFieldAs<zeek::StringVal>(at)); break;
        case IFOREST_STRINGS:
            place->texts.clear();
            for ( const auto& element : record.GetFieldAs<zeek::VectorVal>(at)->RawVec() )
                if ( element && place->texts.size() < IFOREST_MAX_ELEMENTS )
                    place->texts.push_back(TextOf(element->AsString()->AsString()));
            to->as.strings = {place->texts.data(), place->texts.size()};
            break;
        case IFOREST_INTERVALS:
            place->reals.clear();
            for ( const auto& element : record.GetFieldAs<zeek::VectorVal>(at)->RawVec() )
                if ( element && place->reals.size() < IFOREST_MAX_ELEMENTS )
                    place->reals.push_back(element->AsDouble());
            to->as.intervals = {place->reals.data(), place->reals.size()};
            break;
        case IFOREST_ADDR:
            record.GetFieldAs<zeek::AddrVal>(at).CopyIPv6(reinterpret_cast<in6_addr*>(to->as.address));
            break;
        case IFOREST_CONTEXT: to->as.text = place->context.Text(*record.GetFieldAs<zeek::RecordVal>(at)); break;
        default: return;
    }
    to->set = 1;
}

bool LogRecord::Resolve(const RecordType& t, const std::vector<iforest_field_info>& fields, std::string* why) {
    if ( &t == type )
        return true;

    type = nullptr;
    places.assign(fields.size(), Place{});
    for ( size_t i = 0; i < fields.size(); ++i ) {
        auto& place = places[i];
        const char* name = fields[i].name;
        if ( const char* dot = strchr(name, '.') ) {
            std::string outer(name, dot);
            place.outer = Find(t, outer.c_str(), zeek::TYPE_RECORD);
            if ( place.outer >= 0 ) {
                const auto& inner = *t.GetFieldType(place.outer)->AsRecordType();
                place.inner = FindField(inner, dot + 1, fields[i].type);
                if ( fields[i].type == IFOREST_CONTEXT && place.inner >= 0 &&
                     ! place.context.Resolve(*inner.GetFieldType(place.inner)->AsRecordType()) )
                    place.inner = -1; // Zeek goes by addresses and ports alone
            }
            if ( place.inner < 0 )
                place.outer = -1;
        }
        else
            place.outer = FindField(t, name, fields[i].type);

        if ( place.outer < 0 && fields[i].required ) {
            *why = std::string("record ") + t.GetName() + " has no field " + name + " of type " +
                   zeek::type_name(TagOf(fields[i].type)) + ", so it is not that of the log";
            return false;
        }
    }

    type = &t;
    return true;
}

bool LogRecord::Read(RecordVal& info, const std::vector<iforest_field_info>& fields, std::vector<iforest_value>* to,
                     std::string* why) {
    if ( ! Resolve(*info.GetType()->AsRecordType(), fields, why) )
        return false;

    to->assign(fields.size(), iforest_value{});
    const RecordVal* nested = nullptr; // the latest, for id's four
    int nested_at = -1;
    for ( size_t i = 0; i < fields.size(); ++i ) {
        auto& place = places[i];
        if ( place.outer < 0 || ! Has(info, place.outer) )
            continue; // the library refuses a row without what it requires

        if ( place.inner < 0 ) {
            Copy(info, place.outer, fields[i].type, &place, &(*to)[i]);
            continue;
        }
        if ( nested_at != place.outer ) {
            nested = info.GetFieldAs<RecordVal>(place.outer);
            nested_at = place.outer;
        }
        if ( Has(*nested, place.inner) )
            Copy(*nested, place.inner, fields[i].type, &place, &(*to)[i]);
    }
    return true;
}

} // namespace iforest
