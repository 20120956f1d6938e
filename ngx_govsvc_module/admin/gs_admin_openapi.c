
/*
 * Copyright (C) govsvc authors
 *
 * The description of the registry API.
 */


#include "admin/gs_admin.h"


const char  gs_admin_openapi[] = "{}";
