#include "clara/spec/guest_table.hpp"

namespace clara {

const Table<DbFile>& table_of(const DbFile*) {
    static const Table<DbFile> table{
        field(&DbFile::file, {.name = "file",
                              .type = Type::host_path,
                              .doc = "Database file on the host; it is copied into the guest.",
                              .example = "magnets.db",
                              .required = true}),
        field(&DbFile::macros, {.name = "macros",
                                .doc = "Macros of dbLoadRecords.",
                                .example = "{P: \"MAGNETS:\"}",
                                .check = variable_problem}),
    };
    return table;
}

const Table<Ioc>& table_of(const Ioc*) {
    static const Table<Ioc> table{
        field(&Ioc::st_cmd, {.name = "st-cmd",
                             .type = Type::path,
                             .doc = "An existing start script, path inside; it runs in its own folder.",
                             .example = "/opt/iocs/magnets/iocBoot/st.cmd"}),
        field(&Ioc::db, {.name = "db", .doc = "Database files; st.cmd is made from them."}),
        field(&Ioc::executable, {.name = "executable",
                                 .type = Type::path,
                                 .doc = "IOC program inside. With st-cmd only where the script is not "
                                        "executable itself.",
                                 .example = "/opt/iocs/magnets/bin/linux-x86_64/magnets",
                                 .fallback = "/usr/bin/softIoc with db"}),
        field(&Ioc::dbd, {.name = "dbd",
                          .type = Type::path,
                          .doc = "Database definition inside; softIoc knows its own.",
                          .example = "/opt/iocs/magnets/dbd/magnets.dbd"}),
        field(&Ioc::paths, {.name = "paths",
                            .type = Type::path,
                            .doc = "Folders inside where db files of modules are looked up "
                                   "(EPICS_DB_INCLUDE_PATH).",
                            .example = "[/usr/lib/epics/db]"}),
        field(&Ioc::before_init, {.name = "before-init",
                                  .doc = "iocsh lines before iocInit.",
                                  .example = "['drvAsynSerialPortConfigure(\"L0\", \"/dev/ttyUSB0\")']"}),
        field(
            &Ioc::after_init,
            {.name = "after-init", .doc = "iocsh lines after iocInit.", .example = "['dbl > records.txt']"}),
        field(&Ioc::user, {.name = "user",
                           .doc = "User it runs as; root only where it must be.",
                           .fallback = "ioc",
                           .check = word_problem}),
        field(&Ioc::autosave, {.name = "autosave",
                               .type = Type::path,
                               .doc = "Folder inside for autosave, on the guest's own disk and writable to "
                                      "the IOC; AUTOSAVE_DIR tells it.",
                               .example = "/var/lib/ioc/autosave"}),
        field(&Ioc::pvs, {.name = "pvs",
                          .doc = "PVs that must answer after a start; without it the first of the db files.",
                          .example = "[\"MAGNETS:STATUS\"]"}),
        field(&Ioc::pva,
              {.name = "pva",
               .type = Type::boolean,
               .doc = "It serves PVAccess too: a search on UDP 5076 must be answered with TCP 5075, "
                      "and that must take a connection.",
               .fallback = "false"}),
        field(&Ioc::pva_pvs, {.name = "pva-pvs",
                              .doc = "PVs that must answer that search; without it the same as over Channel "
                                     "Access. For servers with PVs of their own, e.g. images.",
                              .example = "[\"CAMERA:Pva1:Image\"]"}),
        field(&Ioc::holdoff_s, {.name = "holdoff",
                                .type = Type::seconds,
                                .doc = "Pause before procServ restarts an IOC that ended.",
                                .fallback = "2s"}),
    };
    return table;
}

}  // namespace clara
