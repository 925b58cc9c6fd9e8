#include "ConnRecord.h"

#include <zeek/IPAddr.h>
#include <zeek/ZeekString.h>

#include <string_view>

#include "ZeekCompat.h"

namespace iforest {

namespace {

using zeek::RecordVal;

// Copies the field at a place of the record, which is known to be set.
using Copy = void (*)(const RecordVal&, int at, iforest_conn*);

struct Field {
    const char* name;
    zeek::TypeTag type;
    bool required;
    Copy copy;
};

template<auto Member, typename ZeekVal, uint32_t Bit = 0>
void Number(const RecordVal& r, int at, iforest_conn* to) {
    to->*Member = r.GetFieldAs<ZeekVal>(at);
    to->set |= Bit;
}

template<auto Member, uint32_t Bit = 0>
void Text(const RecordVal& r, int at, iforest_conn* to) {
    const zeek::String* s = r.GetFieldAs<zeek::StringVal>(at);
    to->*Member = {reinterpret_cast<const char*>(s->Bytes()), static_cast<uint64_t>(s->Len())};
    to->set |= Bit;
}

template<auto Member>
void Address(const RecordVal& r, int at, iforest_conn* to) {
    r.GetFieldAs<zeek::AddrVal>(at).CopyIPv6(reinterpret_cast<in6_addr*>(to->*Member));
}

template<auto Member>
void Port(const RecordVal& r, int at, iforest_conn* to) {
    to->*Member = r.GetFieldAs<zeek::PortVal>(at)->Port();
}

using C = iforest_conn;
using zeek::BoolVal, zeek::CountVal, zeek::EnumVal, zeek::IntervalVal, zeek::TimeVal;
using namespace zeek; // for the type tags

constexpr std::array<Field, ConnRecord::num_fields> fields = {{
    {"ts", TYPE_TIME, true, Number<&C::ts, TimeVal>},
    {"proto", TYPE_ENUM, true, Number<&C::proto, EnumVal>},
    {"service", TYPE_STRING, false, Text<&C::service, IFOREST_SERVICE>},
    {"duration", TYPE_INTERVAL, false, Number<&C::duration, IntervalVal, IFOREST_DURATION>},
    {"orig_bytes", TYPE_COUNT, false, Number<&C::orig_bytes, CountVal, IFOREST_ORIG_BYTES>},
    {"resp_bytes", TYPE_COUNT, false, Number<&C::resp_bytes, CountVal, IFOREST_RESP_BYTES>},
    {"conn_state", TYPE_STRING, false, Text<&C::conn_state>},
    {"local_orig", TYPE_BOOL, false, Number<&C::local_orig, BoolVal, IFOREST_LOCAL_ORIG>},
    {"local_resp", TYPE_BOOL, false, Number<&C::local_resp, BoolVal, IFOREST_LOCAL_RESP>},
    {"missed_bytes", TYPE_COUNT, false, Number<&C::missed_bytes, CountVal>},
    {"orig_pkts", TYPE_COUNT, false, Number<&C::orig_pkts, CountVal>},
    {"orig_ip_bytes", TYPE_COUNT, false, Number<&C::orig_ip_bytes, CountVal>},
    {"resp_pkts", TYPE_COUNT, false, Number<&C::resp_pkts, CountVal>},
    {"resp_ip_bytes", TYPE_COUNT, false, Number<&C::resp_ip_bytes, CountVal>},
    {"uid", TYPE_STRING, false, Text<&C::uid>},
    {"ip_proto", TYPE_COUNT, false, Number<&C::ip_proto, CountVal, IFOREST_IP_PROTO>},
}};

constexpr size_t uid_field = 14; // of fields

constexpr std::array<Field, ConnRecord::num_id_fields> id_fields = {{
    {"orig_h", TYPE_ADDR, true, Address<&C::orig_h>},
    {"orig_p", TYPE_PORT, true, Port<&C::orig_p>},
    {"resp_h", TYPE_ADDR, true, Address<&C::resp_h>},
    {"resp_p", TYPE_PORT, true, Port<&C::resp_p>},
}};

bool Find(const RecordType& record, const char* name, TypeTag tag, int* at, std::string* why) {
    *at = record.FieldOffset(name);
    if ( *at >= 0 && record.GetFieldType(*at)->Tag() == tag )
        return true;
    *why = std::string("record ") + record.GetName() + " has no field " + name + " of type " + type_name(tag) +
           ", so it is not conn.log's";
    return false;
}

template<size_t N>
bool FindAll(const RecordType& record, const std::array<Field, N>& wanted, std::array<int, N>* at, std::string* why) {
    for ( size_t i = 0; i < N; ++i )
        if ( ! Find(record, wanted[i].name, wanted[i].type, &(*at)[i], why) )
            return false;
    return true;
}

template<size_t N>
bool CopyAll(const RecordVal& record, const std::array<Field, N>& wanted, const std::array<int, N>& at,
             iforest_conn* to, std::string* why) {
    for ( size_t i = 0; i < N; ++i ) {
        if ( record.HasRawField(at[i]) )
            wanted[i].copy(record, at[i], to);
        else if ( wanted[i].required ) {
            *why = std::string("field ") + wanted[i].name + " is unset";
            return false;
        }
    }
    return true;
}

} // namespace

bool ConnRecord::Resolve(const RecordVal& info, std::string* why) {
    const auto* t = info.GetType()->AsRecordType();
    if ( t == type )
        return true;

    type = nullptr;
    if ( ! FindAll(*t, fields, &at, why) || ! Find(*t, "id", TYPE_RECORD, &id, why) ||
         ! FindAll(*t->GetFieldType(id)->AsRecordType(), id_fields, &id_at, why) )
        return false;

    const auto& id_type = *t->GetFieldType(id)->AsRecordType();
    ctx = id_type.FieldOffset("ctx");
    if ( ctx >= 0 && (id_type.GetFieldType(ctx)->Tag() != TYPE_RECORD ||
                      ! context.Resolve(*id_type.GetFieldType(ctx)->AsRecordType())) )
        ctx = -1;

    type = t;
    return true;
}

StringValPtr ConnRecord::UID(const RecordVal& info) const {
    static_assert(std::string_view(fields[uid_field].name) == "uid");
    return type ? info.GetField<StringVal>(at[uid_field]) : nullptr;
}

bool ConnRecord::Read(const RecordVal& info, iforest_conn* to, std::string* why) {
    if ( ! Resolve(info, why) )
        return false;

    if ( ! info.HasRawField(id) ) {
        *why = "field id is unset";
        return false;
    }

    *to = {};
    const auto* id_val = info.GetFieldAs<RecordVal>(id);
    if ( ctx >= 0 && id_val->HasRawField(ctx) )
        to->context = context.Text(*id_val->GetFieldAs<RecordVal>(ctx));

    return CopyAll(info, fields, at, to, why) && CopyAll(*id_val, id_fields, id_at, to, why);
}

} // namespace iforest
