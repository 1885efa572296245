import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;

/**
 * Runs templates with Apache Velocity. A line of the input is a template and
 * its variables, a line of the output what the template printed, or why not.
 */
public class Oracle {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(run(new Scanner(line)));
        }
    }

    static String run(Scanner line) {
        String template = text(line);
        VelocityContext context = new VelocityContext((Map) value(line));
        try {
            // Macros live as long as an engine.
            VelocityEngine engine = new VelocityEngine();
            engine.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
            engine.setProperty("parser.pool.size", "1");
            engine.setProperty("directive.foreach.maxloops", "1000");
            engine.init();
            StringWriter out = new StringWriter();
            engine.evaluate(context, out, "template", template);
            return "= " + Base64.getEncoder().encodeToString(out.toString().getBytes(StandardCharsets.UTF_8));
        } catch (Throwable e) {
            return "error " + String.valueOf(e).replaceAll("\\s+", " ");
        }
    }

    static String text(Scanner in) {
        String encoded = in.next();
        byte[] decoded = Base64.getDecoder().decode(encoded.substring(0, encoded.length() - 1));
        return new String(decoded, StandardCharsets.UTF_8);
    }

    static Object value(Scanner in) {
        switch (in.next()) {
            case "b":
                return Boolean.valueOf(in.next());
            case "s":
                return text(in);
            case "n":
                return number(in.next());
            case "l":
                List<Object> list = new JsonList();
                for (int n = in.nextInt(); n > 0; n--) {
                    list.add(value(in));
                }
                return list;
            case "m":
                Map<String, Object> map = new LinkedHashMap<>();
                for (int n = in.nextInt(); n > 0; n--) {
                    map.put(text(in), value(in));
                }
                return map;
            default:
                return null;
        }
    }

    static Object number(String digits) {
        if (digits.matches(".*[.eE].*")) {
            return Double.valueOf(digits);
        }
        BigInteger big = new BigInteger(digits);
        if (big.bitLength() < 32) {
            return big.intValue();
        }
        return big.bitLength() < 64 ? (Object) big.longValue() : big;
    }

    /** A list that prints as JSON, as the lists of Java's JSON libraries do. */
    static class JsonList extends ArrayList<Object> {
        @Override
        public String toString() {
            return json(this);
        }
    }

    static String json(Object v) {
        StringBuilder out = new StringBuilder();
        if (v instanceof List) {
            for (Object item : (List<?>) v) {
                out.append(out.length() > 0 ? "," : "").append(json(item));
            }
            return "[" + out + "]";
        }
        if (v instanceof Map) {
            for (Map.Entry<?, ?> e : ((Map<?, ?>) v).entrySet()) {
                out.append(out.length() > 0 ? "," : "").append(json(e.getKey())).append(":").append(json(e.getValue()));
            }
            return "{" + out + "}";
        }
        if (v instanceof String) {
            return "\"" + ((String) v).replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
        }
        return String.valueOf(v);
    }
}
