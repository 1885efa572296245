// Loaded into every Node.js process of a function, before its code. Turns
// connections to the configured hosts to the local endpoint, and lets ES
// modules find the packages on NODE_PATH, as AWS's Node.js does.
'use strict';

require('./redirect.cjs');
require('./resolve.cjs');
