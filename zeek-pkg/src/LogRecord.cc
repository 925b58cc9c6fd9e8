#include "LogRecord.h"

#include <zeek/IPAddr.h>
#include <zeek/ZeekString.h>

#include <algorithm>
#include <cstring>

#include "PlaceOf.h"
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

// PlaceOf for one of the library's types.
int PlaceOfField(const RecordType& record, const char* name, uint32_t type) {
    int at = PlaceOf(record, name, TagOf(type));
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

LogRecord::Place LogRecord::Find(const RecordType& t, const char* name, uint32_t type) {
    Place place;
    const RecordType* record = &t;
    for ( const char* dot = strchr(name, '.'); dot; name = dot + 1, dot = strchr(name, '.') ) {
        int at = record->FieldOffset(std::string(name, dot).c_str());
        if ( at < 0 )
            return {};

        const auto* next = record->GetFieldType(at).get();
        bool several = next->Tag() == zeek::TYPE_VECTOR;
        if ( several )
            next = next->AsVectorType()->Yield().get();
        if ( next->Tag() != zeek::TYPE_RECORD )
            return {};

        place.way.push_back({at, several});
        record = next->AsRecordType();
    }
    if ( place.way.empty() || ! place.way.back().several )
        place.at = PlaceOfField(*record, name, type);
    if ( type == IFOREST_CONTEXT && place.at >= 0 &&
         ! place.context.Resolve(*record->GetFieldType(place.at)->AsRecordType()) )
        place.at = -1; // Zeek goes by addresses and ports alone
    return place;
}

// The record that the way leads to, null where a field on it has no value. Of a
// vector it is the first element in which the next field has one.
const RecordVal* LogRecord::Follow(const RecordVal& row, const Place& place) {
    const RecordVal* record = &row;
    for ( size_t i = 0; i < place.way.size(); ++i ) {
        auto step = place.way[i];
        if ( ! Has(*record, step.at) )
            return nullptr;

        if ( ! step.several ) {
            record = record->GetFieldAs<RecordVal>(step.at);
            continue;
        }
        const auto& elements = record->GetFieldAs<zeek::VectorVal>(step.at)->RawVec();
        int next = place.way[i + 1].at; // a way ends in a record
        auto first = std::find_if(elements.begin(), elements.end(),
                                  [next](const auto& element) { return element && Has(*element->AsRecord(), next); });
        if ( first == elements.end() )
            return nullptr;

        record = (*first)->AsRecord();
    }
    return record;
}

bool LogRecord::Resolve(const RecordType& t, const std::vector<iforest_field_info>& fields, std::string* why) {
    if ( &t == type )
        return true;

    type = nullptr;
    places.assign(fields.size(), Place{});
    for ( size_t i = 0; i < fields.size(); ++i ) {
        places[i] = Find(t, fields[i].name, fields[i].type);
        if ( places[i].at < 0 && fields[i].required ) {
            *why = std::string("record ") + t.GetName() + " has no field " + fields[i].name + " of type " +
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
    const RecordVal* record = &info;
    const std::vector<Step>* way = nullptr; // that led to it, for fields of the same record
    for ( size_t i = 0; i < fields.size(); ++i ) {
        auto& place = places[i];
        if ( place.at < 0 )
            continue; // the library refuses a row without what it requires

        if ( ! way || place.way != *way ) {
            record = Follow(info, place);
            way = &place.way;
        }
        if ( record && Has(*record, place.at) )
            Copy(*record, place.at, fields[i].type, &place, &(*to)[i]);
    }
    return true;
}

} // namespace iforest
